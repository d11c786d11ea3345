// A Modbus device made with modbus-serial.
//
//   node modbus_serial_server.js tcp PORT UNIT SIZE | rtu DEVICE UNIT SIZE
//
// It says and obeys what libmodbus_server does.

const readline = require("node:readline");
const { ServerSerial, ServerTCP } = require("modbus-serial");

const ILLEGAL_ADDRESS = 2;
const [kind, where, unitID, size] = process.argv.slice(2);
const tables = Object.fromEntries(
  ["coil", "di", "hr", "ir"].map((name) => [name, new Array(Number(size)).fill(0)]),
);

function of(name) {
  return (address) => {
    if (address >= Number(size)) {
      throw Object.assign(new Error(`no ${name} ${address}`), { modbusErrorCode: ILLEGAL_ADDRESS });
    }
    return tables[name][address];
  };
}

const vector = {
  getCoil: of("coil"),
  getDiscreteInput: of("di"),
  getHoldingRegister: of("hr"),
  getInputRegister: of("ir"),
};

function tcp() {
  const server = new ServerTCP(vector, { host: "127.0.0.1", port: Number(where), unitID: Number(unitID) });
  server.on("socketError", () => {}); // a client that was cut off
  server.on("initialized", () => console.log("READY"));
  server.on("serverError", die);
}

function rtu() {
  const server = new ServerSerial(vector, { path: where, baudRate: 115200, unitID: Number(unitID) });
  server.on("initialized", () => console.log("READY"));
  server.on("error", die);
}

function die(error) {
  console.error(error);
  process.exit(1);
}

readline
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [table, address, value] = line.split(" ");
    tables[table][Number(address)] = Number(value);
    console.log("OK");
  })
  .on("close", () => process.exit(0));

(kind === "tcp" ? tcp : rtu)();
