// Package migration holds the table of package outbox as SQL. It depends on nothing, so that
// the command that prints it does not either.
package migration

import (
	"fmt"
	"regexp"
	"strings"
)

// The dialects. MySQL means MySQL 8 and MariaDB 10.6 or later, Postgres means 9.5 or later.
const (
	Postgres = "postgres"
	MySQL    = "mysql"
	SQLite   = "sqlite"
)

// Table is the default name of the table.
const Table = "cachegen_outbox"

// Times are counted in milliseconds since 1970 by the clock of the database, whatever the
// time zones of its sessions. A row that cannot be read is set aside: its due is NULL.
var texts = map[string]string{
	Postgres: `CREATE TABLE {{table}} (
    id        VARCHAR(64) PRIMARY KEY,
    namespace VARCHAR(255) NOT NULL,
    cells     TEXT NOT NULL,   -- JSON: the keys of the cells to renew
    created   BIGINT NOT NULL, -- milliseconds since 1970, as due
    due       BIGINT           -- a relay may take the row from then on; NULL: it could not be read
);
CREATE INDEX {{index}} ON {{table}} (namespace, due);
`,
	MySQL: `CREATE TABLE {{table}} (
    id        VARCHAR(64) PRIMARY KEY,
    namespace VARCHAR(255) NOT NULL,
    cells     MEDIUMTEXT CHARACTER SET utf8mb4 NOT NULL, -- JSON: the keys of the cells to renew
    created   BIGINT NOT NULL, -- milliseconds since 1970, as due
    due       BIGINT,          -- a relay may take the row from then on; NULL: it could not be read
    INDEX {{index}} (namespace, due)
) ENGINE=InnoDB CHARACTER SET ascii COLLATE ascii_bin;
`,
	SQLite: `CREATE TABLE {{table}} (
    id        TEXT PRIMARY KEY,
    namespace TEXT NOT NULL,
    cells     TEXT NOT NULL,    -- JSON: the keys of the cells to renew
    created   INTEGER NOT NULL, -- milliseconds since 1970, as due
    due       INTEGER           -- a relay may take the row from then on; NULL: it could not be read
);
CREATE INDEX {{index}} ON {{table}} (namespace, due);
`,
}

var name = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*\.)?[A-Za-z_][A-Za-z0-9_]*$`)

// SQL returns the statements that make the table, each ending with ";\n". An empty table means
// Table; it may have a schema in front.
func SQL(dialect, table string) (string, error) {
	if table == "" {
		table = Table
	}
	if err := Check(dialect, table); err != nil {
		return "", err
	}
	_, base, qualified := strings.Cut(table, ".")
	if !qualified {
		base = table
	}
	return strings.NewReplacer("{{table}}", table, "{{index}}", base+"_due").Replace(texts[dialect]), nil
}

// Check reports what is wrong with a dialect or the name of a table.
func Check(dialect, table string) error {
	if texts[dialect] == "" {
		return fmt.Errorf("dialect %q is not known: use postgres, mysql (for MariaDB, too) or sqlite", dialect)
	}
	if !name.MatchString(table) {
		return fmt.Errorf("table %q: use letters, digits and '_', with or without a schema in front", table)
	}
	return nil
}
