// Package loadgen drives a shop with the core workload B of YCSB ("read mostly": 95 % reads,
// 5 % updates, items chosen by a Zipf distribution with the constant 0.99) and checks every
// answer: a read that started after an update was acknowledged must return at least that
// update's version.
//
// The workload: B. F. Cooper, A. Silberstein, E. Tam, R. Ramakrishnan, R. Sears:
// Benchmarking Cloud Serving Systems with YCSB, SoCC 2010.
package loadgen
