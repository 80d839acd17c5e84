import { CONFIG_KEYS } from './config-keys.ts'

/** The page `docs/reference/configuration.md`, from the table of keys. */
export function configurationReference(): string {
  const rows = CONFIG_KEYS.map(
    ({ name, default: value, meaning, secret }) => `| \`${name}\` | ${value === '' ? '-' : `\`${value}\``} | ${secret ? 'yes' : ''} | ${meaning} |`,
  )
  return `# Configuration

Evergrant reads its configuration from environment variables at the start. This page is written from the table in the source; a test holds them together.

- Each key can also be read from a file: set \`<NAME>_FILE\` to its path. The file of a secret is readable by the user of the server alone (mode 0600), or belongs to root and is readable by one group, as credentials of systemd and volumes of Kubernetes are.
- A wrong value, or a key that Evergrant does not know, stops the start; all problems are reported at once, and no message shows a secret.
- Secrets are taken out of the process's environment after they were read.

| key | default | secret | meaning |
|---|---|---|---|
${rows.join('\n')}
`
}
