// Writes src/api/schema.ts, the types of what the daemon sends and takes, from its own OpenAPI document (http/openapi.json).
//
//   node types.mjs           writes it
//   node types.mjs --check   ends with 1 where it is not what would be written
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';
import ts from 'typescript';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const target = here('./src/api/schema.ts');

const head = `// Made from http/openapi.json by \`npm run types\`: a change here is lost, and web.api_types fails. The page's names for these are
// in types.ts.

`;

// Every operation has the same errors in the same form: the page asks for ErrorBody, not for each of them.
function withoutErrors(document) {
  for (const item of Object.values(document.paths))
    for (const operation of Object.values(item))
      for (const status of Object.keys(operation.responses ?? {})) if (status >= '400') delete operation.responses[status];
  delete document.components.responses;
  return document;
}

// What the document leaves open is JSON all the same; a description makes openapi-typescript look at an empty schema at all.
function withOpenSchemasDescribed(at) {
  if (typeof at !== 'object' || at === null) return at;
  const { additionalProperties: open } = at;
  if (open === true || (open && Object.keys(open).length === 0)) at.additionalProperties = { description: '' };
  Object.values(at).forEach(withOpenSchemasDescribed);
  return at;
}
const json = ts.factory.createTypeReferenceNode('Json');

const document = JSON.parse(readFileSync(here('../http/openapi.json'), 'utf8'));
const nodes = await openapiTS(withOpenSchemasDescribed(withoutErrors(document)), {
  inject: 'export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };\n',
  defaultNonNullable: false, // a field with a default may be left out
  postTransform: (type) => (type.kind === ts.SyntaxKind.UnknownKeyword ? json : undefined),
});
// `paths` says once more what `operations` says.
const wanted = nodes.filter((node) => !['paths', 'webhooks', '$defs'].includes(node.name?.text));
const text = head + astToString(wanted);

if (!process.argv.includes('--check')) writeFileSync(target, text);
else if (text !== readFileSync(target, 'utf8')) {
  console.error('src/api/schema.ts is not what http/openapi.json says: `npm run types` writes it, with the packages of package-lock.json');
  process.exitCode = 1;
}
