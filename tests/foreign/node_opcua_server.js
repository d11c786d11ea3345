// An OPC UA server made with node-opcua, without security and with Basic256Sha256.
//
//   node node_opcua_server.js PORT DIRECTORY [CAPABILITIES]
//
// CAPABILITIES is JSON, as node-opcua takes it: maxSessions, maxMonitoredItems, operationLimits.
// DIRECTORY holds certificate.pem and key.pem; the server keeps there whom it trusts, which is
// everybody. It says "READY" when it serves. Each line on its standard input is answered with
// "OK"; it ends with its input:
//
//   hold NAME JSON            a node has this value; it is made if there is none
//   dated NAME MILLISECONDS JSON  the same, with a source time stamp
//   lose NAME                 the node goes

const path = require("node:path");
const readline = require("node:readline");
const {
  DataType,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAServer,
  SecurityPolicy,
  StatusCodes,
  nodesets,
} = require("node-opcua");

const URI = "urn:millgate:test";
const HOST = "127.0.0.1";
const [port, directory, capabilities = "{}"] = process.argv.slice(2);

function typeOf(value) {
  if (typeof value === "boolean") return DataType.Boolean;
  if (typeof value === "string") return DataType.String;
  return Number.isInteger(value) ? DataType.Int32 : DataType.Double;
}

async function everybody(folder) {
  const list = new OPCUACertificateManager({
    automaticallyAcceptUnknownCertificate: true,
    rootFolder: path.join(directory, folder),
  });
  await list.initialize();
  return list;
}

async function makeServer() {
  const server = new OPCUAServer({
    port: Number(port),
    host: HOST,
    hostname: HOST,
    alternateHostname: [HOST],
    nodeset_filename: [nodesets.standard],
    serverInfo: { applicationUri: "urn:freeopcua:python:server" },
    certificateFile: path.join(directory, "certificate.pem"),
    privateKeyFile: path.join(directory, "key.pem"),
    serverCertificateManager: await everybody("clients"),
    userCertificateManager: await everybody("users"),
    securityPolicies: [SecurityPolicy.None, SecurityPolicy.Basic256Sha256],
    securityModes: [MessageSecurityMode.None, MessageSecurityMode.SignAndEncrypt],
    serverCapabilities: { maxSessions: 1000, ...JSON.parse(capabilities) },
  });
  await server.initialize();
  return server;
}

class Nodes {
  constructor(addressSpace) {
    this.space = addressSpace;
    this.namespace = addressSpace.registerNamespace(URI);
    this.known = new Map();
  }

  hold(name, value, stamp) {
    const dataType = typeOf(value);
    if (!this.known.has(name)) {
      const node = this.namespace.addVariable({
        nodeId: `s=${name}`,
        browseName: name,
        organizedBy: this.space.rootFolder.objects,
        dataType,
      });
      this.known.set(name, node);
    }
    this.known.get(name).setValueFromSource({ dataType, value }, StatusCodes.Good, stamp);
  }

  lose(name) {
    this.namespace.deleteNode(this.known.get(name));
    this.known.delete(name);
  }
}

function obey(nodes, line) {
  const [word, name, ...rest] = line.split(" ");
  if (word === "hold") nodes.hold(name, JSON.parse(rest.join(" ")));
  else if (word === "dated") {
    nodes.hold(name, JSON.parse(rest.slice(1).join(" ")), new Date(Number(rest[0])));
  } else if (word === "lose") nodes.lose(name);
  else throw new Error(`not understood: ${line}`);
  console.log("OK");
}

async function main() {
  const server = await makeServer();
  const nodes = new Nodes(server.engine.addressSpace);
  await server.start();
  readline
    .createInterface({ input: process.stdin })
    .on("line", (line) => obey(nodes, line))
    .on("close", () => process.exit(0));
  console.log("READY");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
