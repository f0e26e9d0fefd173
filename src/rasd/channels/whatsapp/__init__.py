"""The WhatsApp Business Cloud API: its adapter, its webhook, and an emulator of it."""
