-- Takes everything back, data included.
drop table api_keys, products, labels, review_events, review_cases, assessments, entries, idempotency_keys, stock_movements, events, order_lines,
    orders, payment_operations, payment_attempts, holds, checkout_people, sessions, stock_grants,
    stock, replicas;
