//go:build race

package cachert

const raceEnabled = true
