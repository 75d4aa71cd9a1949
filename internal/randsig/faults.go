package main

import "github.com/cachegen/cachegen/internal/randsig/probe"

func faults() []probe.Fault { return probe.Faults }
