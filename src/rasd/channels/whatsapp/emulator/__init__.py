"""An emulator of the business side of Meta's WhatsApp Cloud API, for loopback only. It is not WhatsApp.

Start it in a test with ``server.run_emulator()``, on a command line with ``rasd emulate whatsapp``; talk to it as a
customer with ``client.Emulator(url).phone("+968 9000 0001")``. The manual is ``docs/emulator.md``.

    settings    what an emulator is started with          clock     the emulated time
    errors      Meta's error codes                        limits    80 a second, a pair's 45 and then one in 6 seconds
    outgoing    what a business may send (validation)     world     lines, phones, chats, messages (the state)
    payloads    the webhook's JSON                        delivery  signing, batching, repeating
    media       files and their short-lived addresses     faults    trouble made on purpose
    graph       the Cloud API's routes                    control   the routes under /_emulator/ and the pages
    customer    what a phone can do                       load      many messages at once
    app, server the ASGI application, and running it      client    for scripts and tests
"""
