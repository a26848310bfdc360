package diag

import "fmt"

// Suggest is `did you mean "tag"?` for a word close to one of known, "" when none is.
func Suggest(word string, known []string) string {
	best, distance := "", len(word)/2+1
	for _, k := range known {
		if d := Distance(word, k); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", best)
}

// Distance is the number of edits (insert, delete, replace, swap neighbours) between two
// words, letters of either case being alike: the optimal string alignment distance.
func Distance(a, b string) int {
	x, y := fold(a), fold(b)
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}

func fold(s string) []rune {
	out := []rune(s)
	for i, r := range out {
		if 'A' <= r && r <= 'Z' {
			out[i] = r + 'a' - 'A'
		}
	}
	return out
}
