module github.com/cachegen/cachegen

go 1.26.0

require (
	github.com/dave/jennifer v1.7.1
	github.com/redis/rueidis v1.0.79
	github.com/tinylib/msgp v1.6.5
	golang.org/x/tools v0.52.0
)

require (
	github.com/philhofer/fwd v1.2.0 // indirect
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)
