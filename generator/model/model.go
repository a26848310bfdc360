// Package model is the resolved plan from which the templates emit code: plain data, every
// name chosen, every placeholder typed. After checking succeeded no emitter looks anything
// up and none can fail.
package model

import (
	"go/types"
	"time"
)

// File is one source file with annotated interfaces; it becomes one reviewable and one
// mechanical generated file.
type File struct {
	Pkg    *types.Package // the package both live in
	Dir    string         // absolute directory
	Source string         // base name, "books.go"
	// Constraint is the build constraint of the source, such as `linux && amd64`, with what
	// its name implies (books_linux.go: the generated names imply nothing); "" for none.
	Constraint string
	Repos      []*Repo // in source order
	// Taken holds the package-scope names that generated declarations must avoid; names
	// declared by earlier output of the generator itself are not in it.
	Taken map[string]bool
}

// Repo is one annotated interface.
type Repo struct {
	Name   string       // directive name, "books"
	Iface  string       // "BookRepo"
	Type   *types.Named // the interface
	Level  Level
	Tenant Tenant
	// Embed: the interface has unexported methods of another package, so the wrapper must
	// embed the source to satisfy it.
	Embed   bool
	Methods []*Method // source order; promoted methods after the declared ones, sorted as in the source of their interface
}

// Tenant says where the tenant comes from.
type Tenant struct {
	Kind TenantKind
	Func *Func // TenantFunc: func(context.Context) string or (string, bool)
}

// TenantKind is none, ctx (cachert.TenantFromContext) or a user's function.
type TenantKind uint8

// The tenant kinds.
const (
	TenantNone TenantKind = iota
	TenantCtx
	TenantFunc
)

// Kind classifies a method.
type Kind uint8

// The method kinds.
const (
	Read Kind = iota + 1
	Write
	Pass
	Tx
)

// Level is a consistency level; its text is the directive's word.
type Level string

// The levels.
const (
	Eventual Level = "eventual"
	Bounded  Level = "bounded"
	Session  Level = "session"
	Strict   Level = "strict"
	Leased   Level = "leased"
)

// OnError is what a write does when the store is down: "" (the level's default),
// "proceed", "fail" or "outbox".
type OnError string

// Method is one method of the interface.
type Method struct {
	Name    string
	Kind    Kind
	Doc     string // the source's doc comment without directives, may be empty
	Sig     *types.Signature
	Params  []*Param  // all, including the context
	Results []*Result // all, including the error
	Reason  string    // reason=
	Read    *ReadPlan // Kind == Read
	Write   *WritePlan
	Tx      *TxPlan // Kind == Tx
}

// Param is one parameter. Name is the source's own name; for an unnamed one a valid name that
// is unique in the method. Nothing is reserved: where a parameter would hide an import, a
// predeclared name or a type that the generated body mentions, the templates rename it, and
// they choose their own locals (c, t, p, a, ret, row, old, err, ok, key) and those of
// CtxPart.Var around all parameters.
type Param struct {
	Name     string
	Source   string // name as written in the interface; "" or "_" when unnamed
	Type     types.Type
	Context  bool // context.Context
	Variadic bool // Type is then the slice
}

// Result is one result; Name as for Param, "" where the source has none: the templates then
// call it ret, ok or err.
type Result struct {
	Name   string
	Source string
	Type   types.Type
	Error  bool // the final error
}

// ReadPlan is the policy of a read.
type ReadPlan struct {
	Key       string // key space: method name or the shared name of key=
	Args      []Path // key arguments in order, context-derived parts first
	TTL       time.Duration
	Jitter    float64
	MaxSize   int // bytes; 0: the default of the runtime
	Negative  time.Duration
	NotFound  []Object // sentinel errors
	Absent    AbsentForm
	Level     Level
	Staleness time.Duration // bound of near hits; 0: that of the level, if it has one
	Ctx       []CtxPart
	Tags      []Tag // known from the arguments
	Rows      []Tag // known from the result
	Bypass    []Bypass
	Tx        *Param // a transaction: where it is not nil the source is read; nil: none
}

// AbsentForm is how a result without an error says "not there".
type AbsentForm uint8

// The forms.
const (
	AbsentNone AbsentForm = iota
	AbsentNil             // (nil, nil)
	AbsentZero            // zero struct or string
	AbsentBool            // (T, false, nil): the last bool result
)

// CtxPart is a key part that comes from the context: ctx=auth.UserID.
type CtxPart struct {
	Func Func
	Var  string     // name of the local variable that holds it, one for each part; the templates lengthen it where it would hide something
	Type types.Type // first result
	OK   bool       // the function returns (T, bool); otherwise the zero value means missing
}

// Bypass is a condition on a parameter's value under which the source is read.
type Bypass struct {
	Path   Path
	Equal  bool   // ==, otherwise !=
	Value  Object // a constant or variable; used when Value.Name != ""
	Lit    string // a Go literal otherwise: true, 3, "x"
	Source string // as written
}

// WritePlan is the policy of a write.
type WritePlan struct {
	Level     Level
	Staleness time.Duration // at level leased, what the commit waits for at least; 0: the level's
	OnError   OnError
	Tags      []Tag // known from the arguments: marked
	After     []Tag // known only from the result
	Old       *OldPlan
	Puts      []Put
	Tx        *Param // a transaction: where it is not nil somebody else commits; nil: none
	// DropAll lists repositories that are dropped as a whole (drop=*, drop=orders/*).
	DropAll []string
}

// TxPlan says how a method gives access to a transaction.
type TxPlan struct {
	Body  *Param // the function that is run inside; nil: the first result is the store
	Ctx   int    // position of the context among Body's parameters, -1: there is none
	Store int    // position of the store, -1: there is none
}

// OldPlan reads the row before the write: old=ByID(id).
type OldPlan struct {
	Read *Method
	Args []Path
	Tags []Tag // rooted at old, may also use parameters
	Text string
}

// ValueFrom says where a put's value comes from.
type ValueFrom uint8

// The sources of a put's value.
const (
	FromRet ValueFrom = iota + 1
	FromArg
	FromReload
)

// Put writes through to a read's entry: put=ByID(ret.ID).
type Put struct {
	Read  *Method
	Args  []Path // one for each non-context parameter of Read
	From  ValueFrom
	Value Path // FromRet, FromArg: what is stored; may differ from the read's result by one & or *
	// AfterRun: some argument is known only from the result, so the entry's tags cannot be marked.
	AfterRun bool
	Text     string
}

// Tag is a tag with its arguments.
type Tag struct {
	Repo string // repository that declares it, "books"
	Name string // "author"
	Args []Path
	Text string // as written, "author:{b.AuthorID}"
}

// Root is where a path starts.
type Root uint8

// The roots.
const (
	RootParam Root = iota + 1
	RootRet        // Result
	RootRow        // element of the slice, array or map that Result is
	RootOld        // first result of the old= read
	RootCtx        // a CtxPart
	RootNil        // nothing: the transaction of a read that is called outside of any
)

// Path is a typed expression: a root and the fields selected from it.
type Path struct {
	Root   Root
	Param  *Param  // RootParam
	Result *Result // RootRet, RootRow
	Ctx    *CtxPart
	Fields []Field
	Type   types.Type // of the whole
	Norm   *Func      // norm=: applied to the value
	Text   string     // as written
}

// Field is one selection; X.Name with Type its type. Promoted fields are spelt out.
type Field struct {
	Name string
	Type types.Type
}

// Func names a function in generated code. Pkg is nil for the file's own package.
type Func struct {
	Pkg  *types.Package
	Name string
	Sig  *types.Signature
}

// Object names a package-level constant or variable.
type Object struct {
	Pkg  *types.Package
	Name string
	Type types.Type
}
