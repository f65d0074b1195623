"""``make demo``: generated data, a teacher, a student, the student with EA-KD, a table and a picture."""
