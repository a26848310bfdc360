package testserver

import "syscall"

// attributes makes the server end with the process that started it.
func (p *process) attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: p.user, Pdeathsig: syscall.SIGKILL}
}
