# make help lists the targets.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
NESTED := consistency databases example golden

.PHONY: help demo test verify generate servers model mutants consistency soak

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

demo: ## the bookshop without and with the cache; REDIS=1: real Redis, two processes; POSTGRES=1: PostgreSQL
	@$(if $(REDIS)$(POSTGRES),scripts/servers)
	cd example && go generate . && go run ./cmd/demo $(if $(REDIS),-redis) $(if $(POSTGRES),-postgres) $(DEMOFLAGS)

servers: ## install the servers that the tests start (redis-server, PostgreSQL, MariaDB)
	@scripts/servers

test: servers ## run every test under the race detector, against real servers
	go test -race -timeout 30m ./...
	go test ./runtime/cachert -run '^TestSimulator$$'
	@for m in $(NESTED); do (set -x; cd $$m && go test -race -timeout 30m ./...) || exit 1; done

generate: ## write all generated files anew
	cd example && go tool cachegen ./...
	cd golden && go tool cachegen ./...
	cd consistency && go tool cachegen ./...

verify: ## generated files fresh, formatting, vet, staticcheck, import arrows, module tidiness
	@for m in $(NESTED); do (cd $$m && go tool cachegen -n ./...) || { echo "cure: make generate"; exit 1; }; done
	@files=$$(gofmt -l .); test -z "$$files" || { echo "not formatted: $$files"; echo "cure: gofmt -w ."; exit 1; }
	go test ./internal/arrows
	@for m in . $(NESTED); do (set -x; cd $$m && go vet ./... && go run $(STATICCHECK) ./...) || exit 1; done
	@for m in . $(NESTED); do (cd $$m && go mod tidy -diff) || { echo "cure: go mod tidy in $$m"; exit 1; }; done

model: ## check the protocol's models with spin, all rows; installs spin and gcc
	@scripts/spin
	@spec/run

mutants: servers ## break the code one rule of the protocol at a time: a test must fail for each
	@go run ./spec/mutants

consistency: servers ## check the promises over processes, faults and 10 million strict calls; CALLS=n for fewer
	cd consistency && go run . -calls $(or $(CALLS),10000000)

soak: servers ## half an hour each over memory and Redis, with faults: memory flat, no goroutine left
	go test -run Soak -soak 30m -timeout 75m ./runtime/redisstore
