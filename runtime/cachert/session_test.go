package cachert

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachegen/cachegen/runtime/memstore"
)

// in returns a context with a session of its own that begins with token.
func in(s *shop, token string) (context.Context, *Session) {
	session := s.cache.NewSession(token)
	return WithSession(context.Background(), session), session
}

// warmed reads a book until it is near, and its author's list.
func (s *shop) warmed() {
	s.t.Helper()
	for range 4 {
		s.mustGet(context.Background(), 1)
		if _, err := s.byAuthor(context.Background(), 7); err != nil {
			s.t.Fatal(err)
		}
		s.drain()
	}
}

// wantBoth reads the book by itself and in its list.
func wantBoth(t *testing.T, s *shop, ctx context.Context, want int64) {
	t.Helper()
	if got := s.mustGet(ctx, 1).Version; got != want {
		t.Errorf("version %d, want %d", got, want)
	}
	list, err := s.byAuthor(ctx, 7)
	if err != nil || len(list) != 1 || list[0].Version != want {
		t.Errorf("listed %v, %v, want one of version %d", list, err, want)
	}
}

// 1. the writer's process loses the store; a write commits, and its invalidation is journalled
// 2. the store still holds the old entries, valid: no round trip helps the session
// 3. the writer's process tells the store; the session believes it again
func TestSessionOfAnUntoldWriteReadsTheSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		writer, reader, f := twoProcesses(t)
		reader.warmed()
		f.set("mark", "post", "probe", "read")
		ctx, session := in(writer, "")
		if _, err := writer.bump(ctx, 1, nil); err != nil {
			t.Fatal(err)
		}
		token := session.Token()
		wantBoth(t, reader, context.Background(), 1) // the control
		for range 2 {
			ctx, _ = in(reader, token)
			wantBoth(t, reader, ctx, 2)
		}
		if reader.stat("ByID").Untrusted == 0 {
			t.Error("nothing counted")
		}
		f.set()
		writer.drain()
		ctx, session = in(reader, token)
		wantBoth(t, reader, ctx, 2)
		reader.drain()
		loads := reader.loads
		ctx, _ = in(reader, session.Token())
		wantBoth(t, reader, ctx, 2)
		if reader.loads != loads {
			t.Errorf("%d loads after the store was told, want none", reader.loads-loads)
		}
	})
}

// The journal dies with its process. The old entries live until their TTL, and so long the
// session goes past them.
func TestSessionOutlivesTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		writer, reader, f := twoProcesses(t)
		reader.warmed()
		f.set("mark", "post", "probe", "read")
		ctx, session := in(writer, "")
		if _, err := writer.bump(ctx, 1, nil); err != nil {
			t.Fatal(err)
		}
		token := session.Token()
		end := session.Until()
		f.Store = memstore.New(memstore.Options{}) // Close must not close the shared one
		_ = writer.cache.Close()
		for time.Now().Before(end) {
			ctx, session := in(reader, token)
			wantBoth(t, reader, ctx, 2)
			token = session.Token()
			time.Sleep(7 * time.Second)
		}
		wantBoth(t, reader, context.Background(), 2)
		time.Sleep(time.Minute)
		if _, session := in(reader, token); session.Token() != "" {
			t.Error("the token has something to say for ever")
		}
	})
}

// 1. the mark does not arrive; the write commits later than its error says
// 2. a generation made before the lease has ended proves nothing
func TestSessionOfAnUnknownOutcomeWaitsForTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		writer, reader, f := twoProcesses(t)
		reader.warmed()
		f.set("mark", "post", "probe", "read")
		ctx, session := in(writer, "")
		_, err := writer.bump(ctx, 1, func() error {
			b := writer.rows[1]
			b.Version-- // not yet
			writer.rows[1] = b
			return context.DeadlineExceeded
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		f.set() // what is owed now is told now, and proves nothing
		time.Sleep(writer.cache.opt.Lease / 2)
		reader.warmed()
		b := writer.rows[1]
		b.Version++
		writer.rows[1] = b
		wantBoth(t, reader, context.Background(), 1) // the control
		ctx, _ = in(reader, session.Token())
		wantBoth(t, reader, ctx, 2)
		writer.drain()
		wantBoth(t, reader, context.Background(), 2)
	})
}

// A write that is marked and could not be posted needs no trip past the store: the marker
// keeps everybody from the old entry.
func TestSessionOfAMarkedWriteBelievesTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		writer, reader, f := twoProcesses(t)
		reader.warmed()
		ctx, session := in(writer, "")
		_, err := writer.bump(ctx, 1, func() error { f.set("post", "probe"); return nil })
		if err != nil {
			t.Fatal(err)
		}
		ctx, _ = in(reader, session.Token())
		wantBoth(t, reader, ctx, 2)
		if n := reader.stat("ByID").Untrusted; n != 0 {
			t.Errorf("%d reads did not trust the store, want 0", n)
		}
		f.set()
		writer.drain()
	})
}

func TestSessionNotesNothingOfARollback(t *testing.T) {
	writer, _, _ := twoProcesses(t)
	ctx, session := in(writer, "")
	ctx, unit := writer.cache.Begin(ctx)
	if _, err := writer.bump(ctx, 1, nil); err != nil {
		t.Fatal(err)
	}
	if err := unit.Mark(); err != nil {
		t.Fatal(err)
	}
	unit.Discard()
	if token := session.Token(); token != "" {
		t.Errorf("token %q of a unit that was rolled back", token)
	}
	ctx, session = in(writer, "")
	ctx, unit = writer.cache.Begin(ctx)
	if _, err := writer.bump(ctx, 1, nil); err != nil {
		t.Fatal(err)
	}
	if session.Token() != "" {
		t.Error("noted before COMMIT")
	}
	if err := errors.Join(unit.Mark(), unit.Post(nil)); err != nil {
		t.Fatal(err)
	}
	if session.Token() == "" {
		t.Error("the unit's write was not noted")
	}
}

// What has been confirmed under the generation that the session's own write made, or was
// asked for since the token came, is answered near.
func TestSessionIsAnsweredNearAgain(t *testing.T) {
	writer, reader, _ := twoProcesses(t)
	reader.cache.NewSession("") // values kept from now on can prove their age
	ctx, session := in(writer, "")
	if _, err := writer.bump(ctx, 1, nil); err != nil {
		t.Fatal(err)
	}
	near := func(token string, want bool) {
		t.Helper()
		ctx, _ := in(reader, token)
		before := reader.stat("ByID").NearHits
		wantBoth(t, reader, ctx, reader.rows[1].Version)
		reader.drain()
		if got := reader.stat("ByID").NearHits > before; got != want {
			t.Errorf("answered near: %v, want %v", got, want)
		}
	}
	reader.warmed()
	near(session.Token(), true) // under the very generation of the write
	ctx, session = in(writer, "")
	_, err := writer.bump(ctx, 1, func() error { _, err := writer.bump(context.Background(), 1, nil); return err })
	if err != nil {
		t.Fatal(err)
	}
	reader.warmed()
	near(session.Token(), false) // whose generation stands there is not known
	ctx, _ = in(reader, session.Token())
	wantBoth(t, reader, ctx, 4)
	before := reader.stat("ByID").NearHits
	wantBoth(t, reader, ctx, 4) // asked for in this request
	if reader.stat("ByID").NearHits == before {
		t.Error("asked the store twice in one request")
	}
}

// 1. a load begins; a write commits, and the store is not told
// 2. the session's read sees the same snapshot; joining the load it would read the old row
func TestSessionDoesNotJoinALoadFromBeforeItsWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		writer, reader, f := twoProcesses(t)
		loading, proceed := make(chan struct{}), make(chan struct{})
		reader.hook = func() {
			reader.hook = nil
			close(loading)
			<-proceed
		}
		done := make(chan int64)
		go func() {
			b, _ := reader.get(context.Background(), 1)
			done <- b.Version
		}()
		<-loading
		f.set("mark", "post", "probe", "read")
		ctx, session := in(writer, "")
		if _, err := writer.bump(ctx, 1, nil); err != nil {
			t.Fatal(err)
		}
		ctx, _ = in(reader, session.Token())
		second := make(chan int64)
		go func() {
			b, _ := reader.get(ctx, 1)
			second <- b.Version
		}()
		synctest.Wait()
		close(proceed)
		if old, got := <-done, <-second; old != 1 || got != 2 {
			t.Errorf("versions %d and %d, want 1 and 2", old, got)
		}
		f.set()
		writer.drain()
	})
}

// More than a token may hold becomes one note about everything.
func TestSessionStaysShort(t *testing.T) {
	writer, reader, _ := twoProcesses(t)
	reader.warmed()
	ctx, session := in(writer, "")
	for id := range int64(1000) {
		if _, err := writer.bump(ctx, id+1, nil); err != nil {
			t.Fatal(err)
		}
		if n := len(session.Token()); n == 0 || n > maxToken {
			t.Fatalf("token of %d bytes", n)
		}
	}
	for id := range int64(1000) {
		session.wroteUntold(writer.cache, []string{writer.cache.keys.repoCell("x") + string(rune(id))}, time.Now())
	}
	if n := len(session.Token()); n > maxToken {
		t.Fatalf("token of %d bytes", n)
	}
	reader.warmed()
	ctx, _ = in(reader, session.Token())
	before := reader.stat("ByID").NearHits
	reader.mustGet(ctx, 1)
	if reader.stat("ByID").NearHits > before {
		t.Error("answered near, and everything was noted")
	}
}

// A note is of no use once no process can have kept what is older.
func TestSessionForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		writer, _, _ := twoProcesses(t)
		ctx, session := in(writer, "")
		if _, err := writer.bump(ctx, 1, nil); err != nil {
			t.Fatal(err)
		}
		token, end := session.Token(), session.Until()
		if want := time.Now().Add(writer.cache.nearAge() + writer.cache.opt.ClockSkew); !end.Equal(want) {
			t.Errorf("until %v, want %v", end, want)
		}
		time.Sleep(time.Until(end) + 2*time.Millisecond)
		if _, again := in(writer, token); session.Token()+again.Token() != "" || !session.Until().IsZero() {
			t.Error("not forgotten")
		}
	})
}

func TestNilSession(t *testing.T) {
	session := SessionFrom(context.Background())
	session.Add("x")
	if session.Token() != "" || !session.Until().IsZero() {
		t.Error("nil says something")
	}
}
