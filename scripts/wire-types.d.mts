export function wireTypes(document: unknown): string
