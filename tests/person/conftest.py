from tests.flows.conftest import account, clock, customer, cycle, line, point, world

__all__ = ["account", "clock", "customer", "cycle", "line", "point", "world"]
