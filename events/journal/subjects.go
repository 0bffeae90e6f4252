package journal

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"curfew/events"
)

func (j *Journal) factSubject(k events.Key) string {
	return fmt.Sprintf("fact.%d.%s.%s", j.partition(k), k.Tenant, k.Device)
}

func (j *Journal) alarmSubject(k events.Key) string {
	return fmt.Sprintf("alarm.%d.%s.%s", j.partition(k), k.Tenant, k.Device)
}

func caseSubject(k events.Key) string { return "case." + k.Tenant + "." + k.Device }

func taskSubject(k events.Key, t events.Task) string {
	return fmt.Sprintf("task.%s.%s.%s.%d", t.Action, k.Tenant, k.Device, t.N)
}

// Partitions is how many there are; see [Options].
func (j *Journal) Partitions() int { return j.parts }

// PartitionOf is the partition that a device is in.
func (j *Journal) PartitionOf(k events.Key) int { return j.partition(k) }

// partition is the same for the same device for ever.
func (j *Journal) partition(k events.Key) int {
	h := fnv.New32a()
	h.Write([]byte(k.String()))
	return int(h.Sum32() % uint32(j.parts))
}

// keyOf reads the device from a subject of a family.
func (j *Journal) keyOf(subject string) (events.Key, error) {
	var k events.Key
	part := strings.Split(subject, ".")
	switch {
	case part[0] == "fact" && len(part) == 4, part[0] == "task" && len(part) == 5:
		k = events.Key{Tenant: part[2], Device: part[3]}
	case part[0] == "case" && len(part) == 3:
		k = events.Key{Tenant: part[1], Device: part[2]}
	}
	if !k.Valid() {
		return k, fmt.Errorf("subject %s names no device", subject)
	}
	if part[0] == "fact" && part[1] != strconv.Itoa(j.partition(k)) {
		return k, fmt.Errorf("subject %s is not in the device's partition, which is %d", subject, j.partition(k))
	}
	return k, nil
}
