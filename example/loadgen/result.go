package loadgen

import (
	"encoding/json"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// longest is the longest time that is told from longer ones, in nanoseconds.
const longest = int64(time.Minute)

// Result is what a load saw. Latencies are in nanoseconds.
type Result struct {
	Reads, Updates *hdrhistogram.Histogram
	Elapsed        time.Duration
	// StaleOwn counts reads that returned less than an update acknowledged before they
	// started in their own process; StaleSettled those that returned less than one
	// acknowledged in any process a bound before they started.
	StaleOwn, StaleSettled int64
	Errors                 int64
	FirstError             string
}

func newResult() *Result {
	return &Result{Reads: hdrhistogram.New(1, longest, 3), Updates: hdrhistogram.New(1, longest, 3)}
}

// Operations is the number of calls that succeeded.
func (r *Result) Operations() int64 { return r.Reads.TotalCount() + r.Updates.TotalCount() }

// Add adds what another load of the same time saw.
func (r *Result) Add(o *Result) {
	r.Reads.Merge(o.Reads)
	r.Updates.Merge(o.Updates)
	r.Elapsed = max(r.Elapsed, o.Elapsed)
	r.StaleOwn += o.StaleOwn
	r.StaleSettled += o.StaleSettled
	r.Errors += o.Errors
	if r.FirstError == "" {
		r.FirstError = o.FirstError
	}
}

// plain has Result's fields without its methods; the histograms travel encoded.
type plain Result

type wire struct {
	plain
	Reads, Updates []byte
}

// MarshalJSON writes the histograms in HdrHistogram's own format.
func (r *Result) MarshalJSON() ([]byte, error) {
	w := wire{plain: plain(*r)}
	var err error
	if w.Reads, err = r.Reads.Encode(hdrhistogram.V2CompressedEncodingCookieBase); err != nil {
		return nil, err
	}
	if w.Updates, err = r.Updates.Encode(hdrhistogram.V2CompressedEncodingCookieBase); err != nil {
		return nil, err
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Result) UnmarshalJSON(text []byte) error {
	var w wire
	if err := json.Unmarshal(text, &w); err != nil {
		return err
	}
	*r = Result(w.plain)
	var err error
	if r.Reads, err = hdrhistogram.Decode(w.Reads); err != nil {
		return err
	}
	r.Updates, err = hdrhistogram.Decode(w.Updates)
	return err
}
