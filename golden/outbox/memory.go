package outbox

import "context"

// Vouchers is a VoucherRepo in memory.
type Vouchers struct{ Rows map[string]Voucher }

// ByCode returns a voucher.
func (v *Vouchers) ByCode(_ context.Context, code string) (Voucher, error) { return v.Rows[code], nil }

// Spend takes cents off a voucher.
func (v *Vouchers) Spend(_ context.Context, code string, cents int64) error {
	v.Rows[code] = Voucher{code, v.Rows[code].Cents - cents}
	return nil
}

// Issue makes a voucher.
func (v *Vouchers) Issue(_ context.Context, cents int64) (Voucher, error) {
	row := Voucher{"new", cents}
	v.Rows[row.Code] = row
	return row, nil
}

// Touch does nothing.
func (v *Vouchers) Touch(context.Context, string) error { return nil }

// Sweep removes all vouchers.
func (v *Vouchers) Sweep(context.Context) int {
	n := len(v.Rows)
	clear(v.Rows)
	return n
}
