package cachert

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/cachegen/cachegen/runtime/store"
)

// damage cuts the stored form of book 1 short.
func damage(t *testing.T, s *shop) {
	t.Helper()
	key := "test:{books/book:1}:books.ByID:s1:1"
	r, err := s.st.Read(context.Background(), store.ReadRequest{Entry: key})
	if err != nil || r.Entry == nil {
		t.Fatalf("no entry under %s: %v", key, err)
	}
	err = s.st.Fill(context.Background(), store.FillRequest{Entry: store.Entry{Key: key, Value: r.Entry[:len(r.Entry)/2], TTL: time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEnvelopeRoundTrip(t *testing.T) {
	in := envelope{
		kind: kindError, sentinel: 3, stored: time.UnixMicro(1), expires: time.UnixMicro(-7),
		deps: []dep{{"a", "g1"}, {"", ""}}, payload: []byte("payload"),
	}
	out, err := parseEnvelope(in.append(nil, "key"), "key")
	if err != nil || out.kind != in.kind || out.sentinel != 3 || !out.stored.Equal(in.stored) || !out.expires.Equal(in.expires) ||
		len(out.deps) != 2 || out.deps[0] != in.deps[0] || !bytes.Equal(out.payload, in.payload) {
		t.Errorf("%+v, %v", out, err)
	}
}
