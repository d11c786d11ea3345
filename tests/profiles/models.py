"""Every profile that ships, and every variant of it, as the tests put it to use."""

from tests.support.profile_play import Model

CT = "parameters: {ct: 40}\n"
MODBUS = (
    Model("generic-modbus-discrete"),
    Model("inovance-h5u"),
    Model("inovance-h3u"),
    Model("xinje-xd"),
    Model("delta-dvp"),
    Model("siemens-s7-modbus-server"),
    Model("mitsubishi-modbus"),
    Model("chint-dtsu666", says=CT),
    Model("chint-dtsu666", "energy-401e", CT),
    Model("chint-dtsu666", "unscaled", CT),
    Model("chint-dtsu666", "unscaled-401e", CT),
    Model("acrel-dtsd1352", says=CT),
    Model("acrel-adw300"),
    Model("vfd-generic", "enc"),
    Model("vfd-generic", "invt"),
    Model("vfd-generic", "delta"),
)
OPCUA = (
    Model("generic-opcua"),
    Model("generic-opcua", "siemens"),
    Model("generic-opcua", "omron"),
    Model("generic-opcua", "machinery"),
    Model("generic-opcua", "packml"),
    Model("euromap77-imm"),
    Model("umati-machinetool"),
)
DEVICES = '[{first: D0, points: 8000, at: "hr:1000"}, {first: M0, points: 8192, at: "coil:8192"}]'
"""Where the profile of Mitsubishi controllers has its simulated devices."""


def link_of(model: Model, port: int = 502) -> str:
    """Return the link of a machine of this model to a Modbus TCP server of this machine."""
    devices = f", devices: {DEVICES}" if model.profile == "mitsubishi-modbus" else ""
    return f"links: {{plc: {{protocol: modbus-tcp, host: 127.0.0.1, port: {port}{devices}}}}}\n"
