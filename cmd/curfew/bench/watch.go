package bench

import (
	"context"
	"encoding/json"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"curfew/events"
	"curfew/events/broker"
)

// watch calls see with every record of a case that is stored from now on, one
// after the other, until stop, which waits for the last.
func watch(ctx context.Context, b *broker.Broker, see func(c events.Case, at time.Time)) (stop func(), err error) {
	js, err := jetstream.New(b.Conn())
	if err != nil {
		return nil, err
	}
	cons, err := js.OrderedConsumer(ctx, "CASES", jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverNewPolicy})
	if err != nil {
		return nil, err
	}
	reading, err := cons.Consume(func(m jetstream.Msg) {
		var c events.Case
		meta, err := m.Metadata()
		if err == nil && json.Unmarshal(m.Data(), &c) == nil { // what cannot be read is missed where it is counted
			see(c, meta.Timestamp)
		}
	})
	if err != nil {
		return nil, err
	}
	return func() {
		reading.Stop()
		<-reading.Closed()
	}, nil
}
