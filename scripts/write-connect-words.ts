// Writes the causes of the connect pages from the words of the SDK's React components. Both packages are published on their own; the words have one source.
import { writeFileSync } from 'node:fs'
import { CAUSES_FILE, causesSource } from './connect-words.ts'

writeFileSync(CAUSES_FILE, causesSource())
