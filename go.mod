module github.com/cachegen/cachegen

go 1.26.0

require (
	github.com/a-h/templ v0.3.977
	github.com/dave/dst v0.28.0
	github.com/spf13/cobra v1.10.2
	github.com/starfederation/datastar-go v1.2.2
	golang.org/x/mod v0.42.0
	golang.org/x/sync v0.24.0
	golang.org/x/tools v0.52.0
	maragu.dev/gomponents v1.2.0
)

require (
	github.com/CAFxX/httpcompression v0.0.9 // indirect
	github.com/andybalholm/brotli v1.2.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/klauspost/compress v1.18.0 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
)
