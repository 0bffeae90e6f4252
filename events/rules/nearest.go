package rules

import (
	"fmt"
	"strings"
)

// hint is "; did you mean X?" or, if nothing is near, the names to choose from.
func hint(word string, names []string) string {
	if n := Nearest(word, names); n != "" {
		return fmt.Sprintf("; did you mean %s?", n)
	}
	if len(names) == 0 {
		return ""
	}
	return "; there are: " + strings.Join(names, ", ")
}

// Nearest returns the name that word is most likely a slip of, or "".
func Nearest(word string, names []string) string {
	best, least := "", 1+max(1, len([]rune(word))/3)
	for _, n := range names {
		if strings.EqualFold(n, word) {
			return n
		}
		if d := distance([]rune(word), []rune(n)); d < least {
			best, least = n, d
		}
	}
	return best
}

// distance counts the letters to add, drop, change or swap with their neighbour
// to make b of a (optimal string alignment).
func distance(a, b []rune) int {
	if len(a) > 64 || len(b) > 64 {
		return max(len(a), len(b))
	}
	var before, row []int
	for j := range len(b) + 1 {
		row = append(row, j)
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
