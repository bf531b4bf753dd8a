// Runs the rule pack cdk-preflight with AWS's engine on plain templates, without the CDK. Reads requests as lines of JSON:
// {"types": [...], "region": "...", "account": "..."} first, then {"template": {...}, "builtin": true|false}.
// Answers each with a line of JSON: the findings.
"use strict";
const fs = require("fs");
const os = require("os");
const path = require("path");
const readline = require("readline");

const modules = path.join(process.argv[2], "node_modules");
const { RegoEngine, TemplateFile } = require(path.join(modules, "@aws/cloudformation-validate"));
const { BUNDLED_LIBS, BUNDLED_RULES } = require(path.join(modules, "cdk-preflight/lib/rules.generated.js"));

const HEADER = "package cdk_preflight\n\nimport rego.v1\n\n";
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "carbon-connect-rules-"));
const file = path.join(folder, "template.json");
process.on("exit", () => fs.rmSync(folder, { recursive: true, force: true }));

let engine, environment;

// One module for each service, as cdk-preflight does it: the engine compiles few modules faster than many.
function start({ types, region, account }) {
  const used = new Set(types);
  const services = new Map();
  for (const rule of BUNDLED_RULES) {
    const about = rule.resourceTypes;
    if (about.length && !about.includes("*") && !about.some((type) => used.has(type))) continue;
    const body = rule.rego.replace(/^(?:package|import)\s.*\n/gm, "");
    services.set(rule.service, [...(services.get(rule.service) ?? []), body]);
  }
  const customRules = [
    ...BUNDLED_LIBS.map(({ name, rego }) => ({ name, content: rego })),
    ...[...services].map(([service, bodies]) => ({ name: `_pf_service_${service}`, content: HEADER + bodies.join("\n") })),
    {
      name: "_pf_deploy_environment",
      content: `${HEADER}deploy_region := ${JSON.stringify(region)}\ndeploy_account := ${JSON.stringify(account)}\n`,
    },
  ];
  engine = new RegoEngine({ customRules });
  environment = { region, accountId: account };
  return [];
}

function validate({ template, builtin }) {
  fs.writeFileSync(file, JSON.stringify(template));
  const report = engine.validateDetailed(new TemplateFile(file), {
    pseudoParameterOverrides: environment,
    disableBuiltinRules: !builtin,
  });
  return report.diagnostics.map((found) => ({
    rule: found.ruleId,
    severity: found.severity,
    resource: found.entity?.logicalId ?? "",
    place: found.propertyPath ?? "",
    message: found.message,
  }));
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const request = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(request.types ? start(request) : validate(request))}\n`);
});
