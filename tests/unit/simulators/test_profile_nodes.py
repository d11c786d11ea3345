import asyncio

from asyncua import Client

from simulators.profile_nodes import ProfileServer


async def test_nodes_are_where_they_were_shown() -> None:
    server = ProfileServer(namespaces=5)
    async with server.serving():
        await server.show(
            {
                "ns=4;s=Run": True,
                'nsu=urn:plc;s="Block"."Count"': 7,
                "{urn:a}Line/{urn:b}Press/{urn:a}Speed": 1.5,
                "{urn:a}Line/{urn:b}Press/{urn:b}Name": "O1000",
            }
        )
        async with Client(server.endpoint) as client:
            assert await client.get_node("ns=4;s=Run").read_value() is True
            plc = await client.get_namespace_index("urn:plc")
            counter = client.get_node(f'ns={plc};s="Block"."Count"')
            assert await counter.read_value() == 7
            a, b = [await client.get_namespace_index(uri) for uri in ("urn:a", "urn:b")]
            press = await client.nodes.objects.get_child([f"{a}:Line", f"{b}:Press"])
            assert len(await press.get_children()) == 2
            assert await (await press.get_child(f"{a}:Speed")).read_value() == 1.5
            await server.show({'nsu=urn:plc;s="Block"."Count"': 8})
            assert await counter.read_value() == 8
    await asyncio.get_running_loop().shutdown_default_executor()
