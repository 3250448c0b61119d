// Judges of Amazon States Language that are not ours.
//
// usage: node judge.mjs FOLDER < definitions      where FOLDER has node_modules, and definitions is {name: text}
// prints {judge: {name: [finding, ...]}}
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const load = createRequire(resolve(process.argv[2], "package.json"));
const validator = load("asl-validator");
const validate = validator.default ?? validator;
const { getLanguageService, TextDocument } = load("amazon-states-language-service");
const service = getLanguageService({});

const definitions = JSON.parse(readFileSync(0, "utf8"));
const found = { "asl-validator": {}, "amazon-states-language-service": {} };
for (const [name, text] of Object.entries(definitions)) {
  const verdict = validate(JSON.parse(text), { checkArn: true, checkPaths: true });
  found["asl-validator"][name] = verdict.errors.map((error) => {
    const where = (error["Schema errors"] ?? []).map((one) => `${one.instancePath} ${one.message}`);
    return [error["Error code"], error.Message, ...where].filter(Boolean).join(": ");
  });
  const document = TextDocument.create("file:///machine.asl.json", "asl", 1, text);
  const diagnostics = await service.doValidation(document, service.parseJSONDocument(document));
  found["amazon-states-language-service"][name] = diagnostics.map((one) => one.message);
}
console.log(JSON.stringify(found));
