package probe

import (
	"fmt"
	"io"
	"log"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// module is the path of the programs that use this package.
const module = "github.com/cachegen/cachegen/internal/randsig/program"

// Name tells the instances of a generic function apart.
func Name[Args any](name string) string { return name + " " + TypeName(reflect.TypeFor[Args]()) }

// Main is the whole of a program that tries cases. Its arguments are the seed and faults
// that faked wrappers are to have, each of which must be found; it reports whether all is
// as it should be.
func Main(cases []*Case) bool {
	log.SetOutput(io.MultiWriter(os.Stderr, &logs))
	seed, err := strconv.ParseUint(os.Args[1], 10, 64)
	if err != nil {
		fmt.Println(err)
		return false
	}
	TheFake = NewFake(cases)
	if len(os.Args) == 2 || os.Args[2] == string(Codec) {
		if len(os.Args) > 2 {
			TheFake.Fault = Codec
		}
		return Run(cases, seed)
	}
	ok := true
	for _, fault := range os.Args[2:] {
		TheFake = NewFake(cases)
		TheFake.Fault = Fault(fault)
		found, first := 0, ""
		var t Tally
		for _, c := range cases {
			if err := c.Check(seed, &t); err != nil {
				if found++; first == "" {
					first, _, _ = strings.Cut(err.Error(), "\n")
				}
			}
		}
		fmt.Printf("fault %s: found in %d of %d functions; %.200s\n", fault, found, len(cases), first)
		ok = ok && (found > 0) == (fault != "none")
	}
	return ok
}

// Run checks all cases and prints what is wrong; it reports whether nothing was.
func Run(cases []*Case, seed uint64) bool {
	var t Tally
	bad := 0
	for _, c := range cases {
		if err := c.Check(seed, &t); err != nil {
			fmt.Println("FAIL", strings.ReplaceAll(err.Error(), "\n", "\n\t"))
			bad++
		}
	}
	fmt.Printf("%d functions, %d calls (%d hits, %d misses), %d that changed an argument, %d rounds skipped, %d functions failed\n",
		len(cases), t.Calls, t.Hits, t.Misses, t.Changed, t.Skipped, bad)
	return bad == 0
}

// logs are what the program has logged.
var logs logged

type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// saysChanged reports whether it was logged of the function that it changed the parameter.
func (l *logged) saysChanged(function, param string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	is := regexp.MustCompile(`(?i)\.` + function + `\D`) // its name has more letters, or others
	for line := range strings.Lines(l.text.String()) {
		of, rest, ok := strings.Cut(line, "since the computation changed ")
		names, _, _ := strings.Cut(rest, ", which is its caller's")
		if ok && is.MatchString(of) && slices.Contains(strings.Split(names, ", "), param) {
			return true
		}
	}
	return false
}
