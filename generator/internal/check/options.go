package check

import (
	"strconv"
	"strings"
	"time"

	"github.com/cachegen/cachegen/generator/internal/diag"
	"github.com/cachegen/cachegen/generator/internal/directive"
	"github.com/cachegen/cachegen/generator/model"
)

// duration reads a time; zero or less is allowed for "off" where the caller says so.
func (c *checker) duration(o directive.Option) time.Duration {
	d, err := time.ParseDuration(o.Value.S)
	switch {
	case strings.Contains(o.Value.S, ".."):
		c.Add("CG102", o.Value.Span(), "give one duration", "a range of TTLs is not supported")
	case err != nil:
		help := "write 30s, 10m or 1h30m"
		if _, nerr := strconv.Atoi(o.Value.S); nerr == nil {
			help = "name the unit: " + o.Value.S + "s or " + o.Value.S + "m"
		}
		c.Add("CG102", o.Value.Span(), help, "%q is not a duration", o.Value.S)
	case d < 0, d == 0 && o.Name != "negative":
		c.Add("CG102", o.Value.Span(), "write 30s, 10m or 1h30m", "%s must be more than 0", o.Name)
		err = strconv.ErrRange
	}
	if err != nil {
		return time.Minute // stands in for a value that was reported
	}
	return d
}

// fraction reads 10% or 0.1.
func (c *checker) fraction(o directive.Option) float64 {
	text, percent := strings.CutSuffix(o.Value.S, "%")
	v, err := strconv.ParseFloat(text, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		c.Add("CG102", o.Value.Span(), "write a part from 0% to 100%", "%q is not a part of the TTL", o.Value.S)
		return 0
	}
	return v
}

func (c *checker) level(o directive.Option) model.Level {
	words := []string{"session", "strict", "leased", "bounded", "eventual"}
	return model.Level(c.word(o, words))
}

// leastStaleness is room for three heartbeats.
const leastStaleness = 5 * time.Millisecond

// staleness reads the bound of near hits at a level.
func (c *checker) staleness(o directive.Option, l model.Level) time.Duration {
	d := c.duration(o)
	switch {
	case l == model.Strict:
		c.Add("CG103", o.At, "remove it, or say level=leased: near hits as good as strict, for which writes wait this long",
			"staleness= bounds near hits, and at level strict there are none")
	case l == model.Eventual:
		c.Add("CG103", o.At, "remove it, or say level=bounded", "staleness= bounds near hits, and at level eventual nothing but the TTL does")
	case d > 0 && d < leastStaleness:
		c.Add("CG102", o.Value.Span(), "write 50ms or 1s", "a staleness of %s leaves no time for the heartbeats that prove it", d)
	}
	return d
}

func (c *checker) onerror(o directive.Option) model.OnError {
	return model.OnError(c.word(o, []string{"proceed", "fail", "outbox"}))
}

// word reads one of a few words; the first stands in for a value that was reported.
func (c *checker) word(o directive.Option, words []string) string {
	for _, w := range words {
		if o.Value.S == w {
			return w
		}
	}
	help := diag.Suggest(o.Value.S, words)
	if help == "" {
		help = "write " + strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
	}
	c.Add("CG102", o.Value.Span(), help, "%s=%s is not known", o.Name, o.Value.S)
	return words[0]
}

// accepts reports whether a directive accepts a finding knowingly, which takes a reason.
func (m *method) accepts(code string) bool {
	for _, o := range m.dir.All("accept") {
		if o.Value.S == code {
			return true
		}
	}
	return false
}

// acceptable lists the findings that accept= may name.
var acceptable = []string{"CG201", "CG202", "CG207"}

func (m *method) checkAccept() {
	for _, o := range m.dir.All("accept") {
		m.repo.word(o, acceptable)
		if m.model.Reason == "" {
			m.repo.Add("CG103", o.At, `say why: "reason=..."`, "accept=%s without a reason", o.Value.S)
		}
	}
}

// fault reports a value that does not have the form of its option.
func (c *checker) fault(f *directive.Fault) {
	c.Add("CG001", f.At.Span(), f.Help, "%s", f.Message)
}
