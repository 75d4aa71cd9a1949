package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// The other generators, at the versions that are measured.
const (
	wire        = "github.com/google/wire"
	wireVersion = "v0.7.0"
	stringer    = "golang.org/x/tools/cmd/stringer@v0.52.0"
	moq         = "github.com/matryer/moq@v0.8.1"
	mockery     = "github.com/vektra/mockery/v3@v3.9.1"
)

// measurePeers runs other generators on one package of the tree, the middle one of those that
// have something for each of them.
func (o *options) measurePeers(t *tree) error {
	bin := filepath.Dir(o.tool)
	for _, m := range []string{wire + "/cmd/wire@" + wireVersion, stringer, moq, mockery} {
		if err := command(o.scratch, []string{"GOBIN=" + bin, "GOFLAGS="}, "go", "install", m).run(); err != nil {
			return err
		}
	}
	var fit []*candidate
	for _, c := range t.candidates {
		if c.src != nil && c.iface != "" && c.enum != "" {
			fit = append(fit, c)
		}
	}
	one := spread(fit, 1)
	if one == nil {
		return errors.New("no package has a function, an interface and a type with constants")
	}
	if err := t.annotate(one); err != nil {
		return err
	}
	if err := t.command(o.tool, "./...").run(); err != nil {
		return err
	}
	c, dir := one[0], filepath.Dir(one[0].file)

	// wire wants an injector; its package imports the one at hand, which wire then types.
	inject := filepath.Join(t.dir, "cachegentree")
	out := filepath.Join(inject, "out")
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	defer os.RemoveAll(inject)
	text := fmt.Sprintf("//go:build wireinject\n\npackage cachegentree\n\nimport (\n\t%q\n\t_ %q\n)\n\ntype thing struct{}\n\nfunc newThing() *thing { return &thing{} }\n\nfunc initialise() *thing { panic(wire.Build(newThing)) }\n", wire, c.pkg)
	if err := os.WriteFile(filepath.Join(inject, "inject.go"), []byte(text), 0o666); err != nil {
		return err
	}
	config := filepath.Join(o.scratch, "mockery.yml")
	text = fmt.Sprintf("dir: %q\nfilename: mocks.go\npkgname: mocks\ntemplate: testify\nforce-file-write: true\npackages:\n  %s:\n    interfaces:\n      %s: {}\n", out, c.pkg, c.iface)
	if err := os.WriteFile(config, []byte(text), 0o666); err != nil {
		return err
	}
	rows := []struct {
		what string
		run  *child
	}{
		{"`cachegen check` on " + c.pkg, t.command(o.tool, "check", c.pkg)},
		{"stringer, type " + c.enum, t.command(filepath.Join(bin, "stringer"), "-type="+c.enum, "-output="+filepath.Join(out, "string.go"), dir)},
		{"moq, interface " + c.iface, t.command(filepath.Join(bin, "moq"), "-out", filepath.Join(out, "moq.go"), dir, c.iface)},
		{"mockery, interface " + c.iface, t.command(filepath.Join(bin, "mockery"), "--config", config, "--log-level", "error")},
		{"wire check, an injector beside it", t.command(filepath.Join(bin, "wire"), "check", "./cachegentree")},
	}
	var commands []*child
	for _, r := range rows {
		commands = append(commands, r.run)
	}
	us, err := inTurn(o.runs, commands...)
	if err != nil {
		return err
	}
	for i, r := range rows {
		row(r.what, 1, us[i], nil)
	}
	return nil
}
