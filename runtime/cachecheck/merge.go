package cachecheck

import "container/heap"

// merger puts the events of many clients, each in the order of its own calls, into one order by
// their ends. An event is passed on when no client can come up with one that ended earlier:
// when of each that is at work one later event is known. So one call that takes long holds up
// the judge for as long, and a client that has nothing to do must say Done.
type merger struct {
	emit    func(Event)
	clients map[client]*queue
	ready   readyQueues // those with events
	empty   int         // clients at work of which no event is waiting
}

type client struct{ process, client uint32 }

type queue struct {
	events  []Event
	working bool
}

func newMerger(emit func(Event)) *merger {
	return &merger{emit: emit, clients: map[client]*queue{}}
}

// start says that a client is about to make calls.
func (m *merger) start(process, number uint32) {
	c := client{process, number}
	q := m.clients[c]
	if q == nil {
		q = &queue{}
		m.clients[c] = q
	}
	if !q.working {
		q.working = true
		if len(q.events) == 0 {
			m.empty++
		}
	}
}

// add takes the next event of a client.
func (m *merger) add(e Event) {
	q := m.clients[client{e.Process, e.Client}]
	if len(q.events) == 0 {
		if q.working {
			m.empty--
		}
		q.events = append(q.events, e)
		heap.Push(&m.ready, q)
	} else {
		q.events = append(q.events, e)
	}
	if e.Kind == Done {
		q.working = false
	}
	m.pass()
}

func (m *merger) pass() {
	for m.empty == 0 && len(m.ready) > 0 {
		q := m.ready[0]
		e := q.events[0]
		q.events = q.events[1:]
		if len(q.events) > 0 {
			heap.Fix(&m.ready, 0)
		} else {
			heap.Pop(&m.ready)
			q.events = nil
			if q.working {
				m.empty++
			}
		}
		m.emit(e)
	}
}

// readyQueues is a heap by the end of the first event.
type readyQueues []*queue

func (h readyQueues) Len() int           { return len(h) }
func (h readyQueues) Less(i, j int) bool { return h[i].events[0].End < h[j].events[0].End }
func (h readyQueues) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *readyQueues) Push(q any)        { *h = append(*h, q.(*queue)) }
func (h *readyQueues) Pop() any {
	old := *h
	q := old[len(old)-1]
	*h = old[:len(old)-1]
	return q
}
