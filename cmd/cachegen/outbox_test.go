package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestOutboxPrintsTheMigration(t *testing.T) {
	for args, want := range map[string]struct {
		code int
		text string
	}{
		"-dialect postgres":                 {clean, "CREATE INDEX cachegen_outbox_due ON cachegen_outbox (namespace, due);"},
		"-dialect mysql -table shop.outbox": {clean, "INDEX outbox_due (namespace, due)"},
		"-dialect sqlite":                   {clean, "CREATE TABLE cachegen_outbox ("},
		"":                                  {failed, `dialect "" is not known: use postgres, mysql (for MariaDB, too) or sqlite`},
		"-dialect sqlite -table a;b":        {failed, `table "a;b"`},
		"-dialect sqlite more":              {failed, "usage: cachegen outbox"},
		"-nope":                             {failed, "usage: cachegen outbox"},
		"-h":                                {clean, "usage: cachegen outbox"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(append([]string{"outbox"}, strings.Fields(args)...), &stdout, &stderr)
		if code != want.code || !strings.Contains(stdout.String()+stderr.String(), want.text) {
			t.Errorf("outbox %s: %d\n%s%s\nwant %d and %q", args, code, &stdout, &stderr, want.code, want.text)
		}
	}
}
