package corpus

// Cases import these packages, which nothing else in this module does.
import _ "maragu.dev/gomponents/html"
