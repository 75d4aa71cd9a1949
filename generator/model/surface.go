package model

import (
	"go/types"
)

// Parameters to draw on, and sources of inputs. Functions that take one are refused
// for now, with a message of their own.

// surfaces are the types of parameters that are drawn on or that carry the inputs of a
// drawing function.
var surfaces = map[string]bool{
	"io.Writer":               true,
	"net/http.ResponseWriter": true,
	"net/http.Request":        true,
	"github.com/starfederation/datastar-go/datastar.ServerSentEventGenerator": true,
}

// drawn are the types of results that draw when they are rendered.
var drawn = map[string]bool{
	"github.com/a-h/templ.Component":      true,
	"maragu.dev/gomponents.Node":          true,
	"github.com/maragudk/gomponents.Node": true,
}

// isSurface reports whether a parameter of type t is drawn on, or gives inputs.
func isSurface(t types.Type) bool { return namedIn(t, surfaces) }

// isDrawn reports whether a result of type t draws when it is rendered.
func isDrawn(t types.Type) bool { return namedIn(t, drawn) }

func namedIn(t types.Type, set map[string]bool) bool {
	t = types.Unalias(t)
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	n, ok := t.(*types.Named)
	return ok && set[fullName(n)]
}
