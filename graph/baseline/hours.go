package baseline

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
)

var hoursForm = regexp.MustCompile(`^(\d{1,5})([hd])$`)

// UnmarshalJSON reads "6h" or "3d": Intune knows no shorter time than an hour.
func (h *Hours) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	m := hoursForm.FindStringSubmatch(s)
	if m == nil {
		return fmt.Errorf("%.40q is no time in hours or days, as 6h or 3d", s)
	}
	n, err := strconv.Atoi(m[1])
	if m[2] == "d" {
		n *= 24
	}
	*h = Hours(n)
	return err
}

// MarshalJSON writes what UnmarshalJSON reads.
func (h Hours) MarshalJSON() ([]byte, error) { return json.Marshal(h.String()) }

// String is "6h", or "3d" where it comes to whole days.
func (h Hours) String() string {
	if h > 0 && h%24 == 0 {
		return fmt.Sprintf("%dd", int(h)/24)
	}
	return fmt.Sprintf("%dh", int(h))
}
