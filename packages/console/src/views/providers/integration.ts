import type { Answer } from '../../api/operations.ts'

export type IntegrationDetails = Answer<'GET /api/v1/integrations/{id}'>
