"""What a balancer and whoever watches over the service are told."""

from tests.exams import given_exam
from tests.people import MINH


async def test_a_worker_that_can_serve_lookups_says_so(visitor):
    assert (await visitor.get("/healthz")).json() == {"status": "alive"}
    readiness = await visitor.get("/readyz")
    assert (readiness.status_code, readiness.json()) == (200, {"ready": True, "degraded": []})


async def test_metrics_count_by_route_and_never_hold_a_number(connection, service, visitor):
    await given_exam(connection)
    await service.hears_all_changes()
    await visitor.get(f"/api/v1/exams/thpt-2026/results/{MINH.number}")
    operator = service.visitor("127.0.0.1")
    metrics = (await operator.get("/metrics")).text
    assert 'route="/api/v1/exams/{exam_code}/results/{candidate_number}"' in metrics
    assert MINH.number not in metrics


async def test_metrics_do_not_exist_for_the_public(visitor):
    answer = await visitor.get("/metrics")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
