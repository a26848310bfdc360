package layer

// Kind describes a layer that can be checked.
type Kind struct {
	Open func(Settings) (Layer, error)
	// Broken says that it is here to be found out.
	Broken bool
}

// All are the layers, by name.
var All = map[string]Kind{
	"cachegen": {Open: Ours},
}
