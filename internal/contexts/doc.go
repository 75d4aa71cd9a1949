// Package contexts has a test and nothing else: programs whose functions read values of their
// contexts, cached in all the ways there are, among them those of package templ. It stands apart
// so that the tests of the packages that applications link need no other module.
package contexts
