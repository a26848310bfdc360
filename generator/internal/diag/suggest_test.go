package diag

import "testing"

func TestSuggest(t *testing.T) {
	known := []string{"tag", "ttl", "negative", "AuthorID", "größe"}
	for word, want := range map[string]string{
		"tga":                          `did you mean "tag"?`,
		"tll":                          `did you mean "ttl"?`,
		"negtive":                      `did you mean "negative"?`,
		"authorid":                     `did you mean "AuthorID"?`,
		"grösse":                       `did you mean "größe"?`,
		"x":                            "",
		"":                             "",
		"drop":                         "",
		"something entirely different": "",
	} {
		if got := Suggest(word, known); got != want {
			t.Errorf("Suggest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"tag", "Tag", 0}, {"tag", "tags", 1}, {"tag", "tga", 1},
		{"tag", "bag", 1}, {"write", "wirte", 1}, {"größe", "gröse", 1}, {"kitten", "sitting", 3},
	} {
		if got := Distance(tt.a, tt.b); got != tt.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if Distance(tt.a, tt.b) != Distance(tt.b, tt.a) {
			t.Errorf("Distance(%q, %q) is not symmetric", tt.a, tt.b)
		}
	}
}

// TestRelative: what lies outside keeps its full name.
func TestRelative(t *testing.T) {
	for _, tt := range []struct{ dir, name, want string }{
		{"/a/b", "/a/b/c.go", "./c.go"},
		{"/a/b", "/a/b/c/d.go", "./c/d.go"},
		{"/a/b", "/a/bc/d.go", "/a/bc/d.go"},
		{"/a/b", "/a/d.go", "/a/d.go"},
		{"/a/b", "/a/b/..d.go", "./..d.go"},
	} {
		if got := Relative(tt.dir, tt.name); got != tt.want {
			t.Errorf("Relative(%s, %s) = %s, want %s", tt.dir, tt.name, got, tt.want)
		}
	}
}
