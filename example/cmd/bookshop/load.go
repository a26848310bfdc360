package main

import (
	"encoding/json"
	"net/http"

	"github.com/cachegen/cachegen/example/loadgen"
)

// load answers POST /debug/load: it drives the book repository of this process, with whatever
// stands before it, and sends the progress and at last the result, a line of JSON each.
func (s *shop) load(w http.ResponseWriter, r *http.Request) {
	var order loadgen.Order
	if err := json.NewDecoder(r.Body).Decode(&order); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ledger, err := loadgen.OpenLedger(order.Ledger, order.Config.Books, order.Bound)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer ledger.Close()
	w.Header().Set("Content-Type", "application/x-ndjson")
	loadgen.Serve(r.Context(), w, order.Config, loadgen.Repo{Books: s.repos.Books}, ledger)
}
