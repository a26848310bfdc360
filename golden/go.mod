module github.com/cachegen/cachegen/golden

go 1.26.0

replace github.com/cachegen/cachegen => ../

tool github.com/cachegen/cachegen/cmd/cachegen

require (
	github.com/cachegen/cachegen v0.0.0
	github.com/google/uuid v1.6.0
	github.com/redis/rueidis v1.0.79
	google.golang.org/protobuf v1.36.12
)

require (
	github.com/dave/jennifer v1.7.1 // indirect
	github.com/philhofer/fwd v1.2.0 // indirect
	github.com/tinylib/msgp v1.6.5 // indirect
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/tools v0.52.0 // indirect
)
