package web

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/cachegen/cachegen/cache/surface"
	cachert "github.com/cachegen/cachegen/runtime"
)

// What a form's files take on the disk goes with the request: the server removes only what
// was parsed of its own request, and a middleware makes another.
func TestUploadsLeaveNothingOnTheDisk(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	t.Setenv("TMP", tmp)
	for name, body := range map[string]http.HandlerFunc{
		"read": func(w http.ResponseWriter, r *http.Request) {
			files, err := cachert.InputFiles(r.Context(), "file")
			if err != nil || len(files) != 1 {
				t.Errorf("%d files, %v", len(files), err)
				return
			}
			fmt.Fprint(w, files[0].Size)
		},
		"panic": func(_ http.ResponseWriter, r *http.Request) {
			cachert.Input(r.Context(), "x")
			panic(http.ErrAbortHandler)
		},
	} {
		srv := httptest.NewServer(Middleware(body))
		var form bytes.Buffer
		m := multipart.NewWriter(&form)
		f, _ := m.CreateFormFile("file", "big.csv")
		f.Write(make([]byte, maxForm+1<<20))
		m.Close()
		if r, err := http.Post(srv.URL, m.FormDataContentType(), &form); err == nil {
			if b, _ := io.ReadAll(r.Body); string(b) != fmt.Sprint(maxForm+1<<20) {
				t.Errorf("%s: %q", name, b)
			}
		}
		srv.Close()
		if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
			t.Errorf("%s: left on the disk: %v, %v", name, left, err)
		}
	}
}

// The header of a response: what was done to it, not how it ended up.
func TestView(t *testing.T) {
	before := http.Header{"A": {"1"}, "B": {"1", "2"}, "Etag": {"x", "y"}, "Nil": nil, "Vary": {"Origin"}}
	text := fmt.Sprint(before)
	for name, c := range map[string]struct {
		do   func(http.Header)
		want Head
	}{
		"nothing":             {func(http.Header) {}, Head{}},
		"set to the same":     {func(h http.Header) { h.Set("A", "1") }, Head{Set: http.Header{"A": {"1"}}}},
		"set to nothing":      {func(h http.Header) { h.Set("A", ""); h["Date"] = nil }, Head{Set: http.Header{"A": {""}, "Date": nil}}},
		"add":                 {func(h http.Header) { h.Add("B", "3"); h.Add("B", "4") }, Head{Add: http.Header{"B": {"3", "4"}}}},
		"add to what is seen": {func(h http.Header) { h.Add("Etag", "z") }, Head{Add: http.Header{"Etag": {"z"}}}},
		"set, then add":       {func(h http.Header) { h.Set("B", "3"); h.Add("B", "4") }, Head{Set: http.Header{"B": {"3", "4"}}}},
		"copy and add":        {func(h http.Header) { h["B"] = append(slices.Clone(h["B"]), "3") }, Head{Add: http.Header{"B": {"3"}}}},
		"fewer":               {func(h http.Header) { h["Etag"] = h["Etag"][:1] }, Head{Set: http.Header{"Etag": {"x"}}}},
		"in place":            {func(h http.Header) { h["Etag"][1] = "z" }, Head{Set: http.Header{"Etag": {"x", "z"}}}},
		"delete":              {func(h http.Header) { h.Del("B"); h.Del("A") }, Head{Del: []string{"A", "B"}}},
		"delete and add":      {func(h http.Header) { h.Del("A"); h.Add("A", "1") }, Head{Set: http.Header{"A": {"1"}}}},
		"add to nothing":      {func(h http.Header) { h.Add("Nil", "1"); h.Add("New", "1") }, Head{Set: http.Header{"New": {"1"}}, Add: http.Header{"Nil": {"1"}}}},
		"shared":              {func(h http.Header) { h.Add("Vary", "1"); h.Add("Link", "2"); h.Del("Set-Cookie") }, Head{Add: http.Header{"Vary": {"1"}, "Link": {"2"}}, Del: []string{"Set-Cookie"}}},
		"another spelling":    {func(h http.Header) { h["a"] = []string{"2"} }, Head{Set: http.Header{"a": {"2"}}}},
	} {
		v := NewView(before, true)
		c.do(v.Header)
		if got := v.Take(0); fmt.Sprint(*got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %+v, want %+v", name, *got, c.want)
		}
		if got := v.Take(0); !got.Empty() {
			t.Errorf("%s: said again: %+v", name, *got)
		}
		if fmt.Sprint(before) != text {
			t.Fatalf("%s: it changed what was there: %v", name, before)
		}
	}
}

// What a body does to its view comes out at the real header as if it had been done there, for
// random operations on a header of which others have set parts.
func TestViewIsTheHeader(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	names := []string{"A", "b", "Etag", "Vary", "Link", "Set-Cookie", "Content-Type"}
	for range 20_000 {
		real := http.Header{}
		for range r.IntN(6) {
			real.Add(names[r.IntN(len(names))], fmt.Sprint("m", r.IntN(3)))
		}
		want := real.Clone()
		v := NewView(real, true)
		var ops []string
		for range r.IntN(3) { // a head after another one, as after 103
			for range r.IntN(5) {
				k, s := names[r.IntN(len(names))], fmt.Sprint("v", r.IntN(3))
				op := r.IntN(5)
				ops = append(ops, fmt.Sprint(op, k, s))
				for _, h := range []http.Header{v.Header, want} {
					switch op {
					case 0:
						h.Set(k, s)
					case 1:
						h.Add(k, s)
					case 2:
						h.Del(k)
					case 3:
						h[k] = []string{s, s}
					case 4:
						h[k] = append(h[k], s)
					}
				}
			}
			head := v.Take(0)
			data, err := head.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			var again Head
			if err := again.UnmarshalBinary(data); err != nil {
				t.Fatal(err)
			}
			again.Apply(real)
		}
		if len(ops) > 0 && !reflect.DeepEqual(real, want) {
			t.Fatalf("%v: %v, want %v", ops, real, want)
		}
	}
}

// Two headers that a body can tell apart are two inputs.
func TestBefore(t *testing.T) {
	seen := map[string]string{}
	for _, h := range []http.Header{
		nil, {"A": nil}, {"B": nil}, {"A": nil, "B": nil}, {"Ab": nil}, {"Etag": nil}, {"Etag": {""}}, {"Etag": {"", ""}},
		{"Etag": {"a"}}, {"Etag": {"a", "b"}}, {"Etag": {"a1:b"}}, {"Etag": {"a"}, "B": nil}, {"Etag": {"a1:B"}}, {"Etag=11:a": nil},
	} {
		b := Before(h)
		if old, ok := seen[b]; ok {
			t.Errorf("%v and %s are both %q", h, old, b)
		}
		seen[b] = fmt.Sprint(h)
	}
	for _, h := range []http.Header{{"Vary": {"Origin"}}, {"Set-Cookie": {"a=b"}}, {"Link": nil}} {
		if b := Before(h); b != "" {
			t.Errorf("%v is an input: %q", h, b)
		}
	}
	if Before(http.Header{"X-Nonce": {"1"}}) != Before(http.Header{"X-Nonce": {"2", "3"}}) {
		t.Error("values that no body sees are inputs")
	}
	if !slices.IsSorted(shared) {
		t.Error("shared is not sorted")
	}
}

// A head comes back from its bytes, and bytes that are none are refused.
func TestHeadCodec(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	header := func() http.Header {
		var h http.Header
		for range r.IntN(3) {
			if h == nil {
				h = http.Header{}
			}
			k := string(rune('A' + r.IntN(26)))
			for range 1 + r.IntN(3) {
				h.Add(k, string([]byte{byte(r.Uint32()), byte(r.Uint32())}))
			}
		}
		return h
	}
	for range 2000 {
		h := Head{Status: []int{0, 200, 404}[r.IntN(3)], Set: header(), Add: header()}
		for range r.IntN(3) {
			h.Del = append(h.Del, fmt.Sprint("D", r.IntN(9)))
		}
		b, err := h.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var got Head
		if err := got.UnmarshalBinary(b); err != nil || !reflect.DeepEqual(got, h) {
			t.Fatalf("%+v came back as %+v, %v", h, got, err)
		}
		if err := new(Head).UnmarshalBinary(b[:r.IntN(len(b))]); err == nil {
			t.Fatalf("%+v is taken where it is cut off", h)
		}
	}
	for _, bad := range [][]string{{}, {"x"}, {"99"}, {"200"}, {"200", "1"}, {"200", "-1", "0"}, {"200", "1", "K", "5", "v"}, {"200", "9999999999999999999", "0"}, {"200", "0"}} {
		if err := new(Head).UnmarshalBinary(surface.EncodeInput(bad, nil)); err == nil {
			t.Errorf("%q is taken for a head", bad)
		}
	}
}
