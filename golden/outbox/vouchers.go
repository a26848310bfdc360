// Package outbox pins onerror=outbox: invalidations that are kept in the database until they
// have been delivered.
package outbox

import "context"

//go:generate go tool cachegen

// Voucher is worth money.
type Voucher struct {
	Code  string
	Cents int64
}

// VoucherRepo stores vouchers. No change of one may go unnoticed, whoever dies.
//
//cachegen:repo name=vouchers ttl=1h onerror=outbox
type VoucherRepo interface {
	// ByCode returns a voucher.
	//
	//cachegen:read tag=voucher:{code}
	ByCode(ctx context.Context, code string) (Voucher, error)

	// Spend takes cents off a voucher.
	//
	//cachegen:write drop=voucher:{code}
	Spend(ctx context.Context, code string, cents int64) error

	// Issue makes a voucher, whose code is known afterwards.
	//
	//cachegen:write drop=voucher:{ret.Code}
	Issue(ctx context.Context, cents int64) (Voucher, error)

	// Touch need not be noticed by all means.
	//
	//cachegen:write drop=voucher:{code} onerror=proceed
	Touch(ctx context.Context, code string) error

	// Sweep returns no error: nobody could be told that it was refused, so it proceeds.
	//
	//cachegen:write drop=*
	Sweep(ctx context.Context) int
}
