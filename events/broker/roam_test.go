package broker

import "testing"

// What servers of a cluster say in each state, as nats-server 2.15 does.
func TestSpeaks(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		want   bool
	}{
		"alone":                      {`{"config":{"name":"KV_STATE"}}`, true},
		"no such stream":             {`{"error":{"code":404,"err_code":10059,"description":"stream not found"}}`, true},
		"leads":                      {`{"cluster":{"leader":"n1","replicas":[{"name":"n2","active":400000000},{"name":"n3","active":900000000}]}}`, true},
		"leads, one is dead":         {`{"cluster":{"leader":"n1","replicas":[{"name":"n2","active":400000000},{"name":"n3","active":60000000000,"offline":true}]}}`, true},
		"leads, just elected":        {`{"cluster":{"leader":"n1","replicas":[{"name":"n2","active":0},{"name":"n3","active":0}]}}`, true},
		"took itself for the leader": {`{"cluster":{"leader":"n1","replicas":[{"name":"n2","active":4100000000},{"name":"n3","active":4200000000}]}}`, false},
		"lost two of five":           {`{"cluster":{"leader":"n1","replicas":[{"active":5000000000},{"active":5000000000},{"active":1},{"active":1}]}}`, true},
		"lost three of five":         {`{"cluster":{"leader":"n1","replicas":[{"active":5000000000},{"active":5000000000},{"active":5000000000},{"active":1}]}}`, false},
		"knows of no leader":         {`{"cluster":{"replicas":[]}}`, false},
		"not available just now":     {`{"error":{"code":503,"err_code":10008,"description":"JetStream system temporarily unavailable"}}`, false},
		"something else":             {`pong`, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := speaks([]byte(c.answer)); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
