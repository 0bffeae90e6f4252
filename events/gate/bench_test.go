package gate

import (
	"fmt"
	"testing"
	"time"

	"curfew/events"
)

// BenchmarkProtected asks a long list whether a device that is not on it is
// protected, as before every attempt.
func BenchmarkProtected(b *testing.B) {
	var p Protected
	for i := range 500 {
		p.Devices = append(p.Devices, fmt.Sprintf("device-%d", i))
		p.Users = append(p.Users, fmt.Sprintf("user-%d@contoso.example", i))
	}
	p.Names, p.Groups = []string{"KIOSK-*", "SRV-*", "*-PROD-??"}, []string{"Executives", "Board"}
	k := events.Key{Tenant: "contoso", Device: "d1"}
	c := events.Case{Key: k, Open: true, Device: events.Device{
		Key: k, Name: "LT-042", OS: "Windows", OSVersion: "10.0.26200.6899", Join: "azureADJoined", IntuneID: "i1", Serial: "s1",
		User: "ada@contoso.example", UserID: "u1", UserMail: "ada@contoso.example", Groups: []string{"Finance", "All"}, Management: "managed", Category: "Laptops",
	}}
	t := events.Task{ID: k.String() + "/1-reset", Order: events.Order{Action: events.Reset}}
	b.ReportAllocs()
	for b.Loop() {
		if why := p.Why(c, t); why != "" {
			b.Fatal(why)
		}
	}
}

// BenchmarkBudget takes slots of a budget that is full most of the time.
func BenchmarkBudget(b *testing.B) {
	l := Limit{Count: 200, Window: time.Hour}
	var s slots
	now := noon
	for n := 0; b.Loop(); n++ {
		now = now.Add(time.Second)
		s.take(fmt.Sprintf("t%d", n), "", l, 200, "", now)
	}
}
