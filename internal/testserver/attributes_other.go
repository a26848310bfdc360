//go:build unix && !linux

package testserver

import "syscall"

func (p *process) attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: p.user}
}
