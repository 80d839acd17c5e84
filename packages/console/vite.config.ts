import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const sdk = (path: string): string => fileURLToPath(new URL(`../sdk/src/${path}`, import.meta.url))

/**
 * Files with a hash in their names, nothing inlined (the content policy allows no `data:` fonts and no inline script), addresses relative to the `<base>`
 * that the server writes, so that the console works below any path.
 */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  plugins: [react()],
  resolve: { alias: { '@evergrant/sdk/browser': sdk('browser/index.ts') } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    manifest: true,
    reportCompressedSize: false,
  },
  css: { modules: { generateScopedName: '[name]_[local]_[hash:base64:4]' } },
})
