package outbox

import (
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// encode writes keys as a JSON array that any database keeps as it is. Keys are bytes and need
// not be UTF-8: each byte stands as the code point of its number.
func encode(cells []string) (string, error) {
	wide := make([]string, len(cells))
	for i, cell := range cells {
		runes := make([]rune, len(cell))
		for j := range len(cell) {
			runes[j] = rune(cell[j])
		}
		wide[i] = string(runes)
	}
	text, err := json.Marshal(wide)
	return string(text), err
}

var errCells = errors.New("outbox: not a list of cells")

// decode is the reverse of encode.
func decode(text string) ([]string, error) {
	var wide []string
	if err := json.Unmarshal([]byte(text), &wide); err != nil || len(wide) == 0 {
		return nil, errors.Join(errCells, err)
	}
	cells := make([]string, len(wide))
	for i, w := range wide {
		b := make([]byte, 0, len(w))
		for _, r := range w {
			if r > 0xff || r == utf8.RuneError {
				return nil, errCells
			}
			b = append(b, byte(r))
		}
		cells[i] = string(b)
	}
	return cells, nil
}
