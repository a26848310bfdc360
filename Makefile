# make help lists the targets.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: help demo test verify servers model

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

demo: ## the bookshop without and with the cache, on SQLite; REDIS=1: real Redis, two processes
	@$(if $(REDIS),scripts/servers)
	cd example && go run ./cmd/demo $(if $(REDIS),-redis) $(DEMOFLAGS)

servers: ## install the servers that the tests start (redis-server, PostgreSQL)
	@scripts/servers

test: servers ## run every test under the race detector, against real servers
	go test -race ./...
	cd example && go test -race ./...

verify: ## formatting, vet, staticcheck, module tidiness
	@files=$$(gofmt -l .); test -z "$$files" || { echo "not formatted: $$files"; echo "cure: gofmt -w ."; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...
	@go mod tidy -diff || { echo "cure: go mod tidy"; exit 1; }
	cd example && go vet ./... && go run $(STATICCHECK) ./...
	@cd example && go mod tidy -diff || { echo "cure: cd example && go mod tidy"; exit 1; }

model: ## check the protocol's models with spin, all rows; installs spin and gcc
	@scripts/spin
	@spec/run
