package main

import (
	"flag"
	"fmt"
	"io"

	"github.com/cachegen/cachegen/runtime/outbox/migration"
)

const outboxUsage = `usage: cachegen outbox -dialect postgres|mysql|sqlite [-table name]

Prints the migration that makes the table of writes with onerror=outbox. For MariaDB
the dialect is mysql.
`

// outbox prints a migration.
func outbox(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("cachegen outbox", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, outboxUsage) }
	dialect := flags.String("dialect", "", "")
	table := flags.String("table", migration.Table, "")
	if err := flags.Parse(args); err != nil {
		if err == flag.ErrHelp {
			return clean
		}
		return failed
	}
	if flags.NArg() > 0 {
		flags.Usage()
		return failed
	}
	text, err := migration.SQL(*dialect, *table)
	if err != nil {
		return complain(stderr, fmt.Errorf("outbox: %w", err))
	}
	fmt.Fprint(stdout, text)
	return clean
}
