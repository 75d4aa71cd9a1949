package probe

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/cachegen/cachegen/runtime/value"
)

// Codec is no fault: keys and copies are made by what the runtime does for types that
// generation cannot know, instead of by this package.
const Codec Fault = "codec"

// codecKey is the key of a call as the runtime's encoder by reflection makes it.
func codecKey(args any, names []string) string {
	e := value.NewEncoder()
	fields(reflect.ValueOf(args).Elem(), func(name string, v reflect.Value) {
		if slices.Contains(names, name) {
			e.Part(name)
			e.Any(v.Interface())
		}
	})
	d, err := e.Digest()
	if err != nil {
		panic(fmt.Sprintf("no key: %v", err))
	}
	return string(d[:])
}

// codecCopy copies results as the runtime's copier by reflection does.
func codecCopy(home string, results any) any {
	v := reflect.ValueOf(results)
	w := reflect.New(v.Type().Elem())
	c := value.NewCopier(home)
	to := w.Elem()
	for i := range to.NumField() {
		from, f := open(v.Elem().Field(i)), open(to.Field(i))
		if f.Type() == errorType || from.Kind() == reflect.Interface && from.IsNil() {
			f.Set(from)
			continue
		}
		f.Set(reflect.ValueOf(value.CopyAny(c, from.Interface())))
	}
	if err := c.Done(); err != nil {
		panic(fmt.Sprintf("no copy: %v", err))
	}
	return w.Interface()
}
