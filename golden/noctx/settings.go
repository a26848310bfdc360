// Package noctx pins tier 2: methods without a context. The wrapper uses
// context.Background(), so such a call can neither be cancelled nor belong to a tenant.
package noctx

//go:generate go tool cachegen

// SettingStore stores named values in groups.
//
//cachegen:repo name=settings ttl=10m negative=1m notfound=ErrUnset
type SettingStore interface {
	// Get returns a value, or ErrUnset.
	//
	//cachegen:read tag=setting:{group}:{name}
	Get(group, name string) (string, error)

	// Count counts the values of all groups.
	//
	//cachegen:read tag=count
	Count() (int, error)

	// Set stores a value.
	//
	//cachegen:write drop=setting:{group}:{name} drop=count
	Set(group, name, value string) error

	// Reset removes all values and returns how many there were.
	//
	//cachegen:write drop=*
	Reset() (removed int, err error)
}
